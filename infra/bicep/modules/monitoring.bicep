metadata description = 'Where logs, traces and metrics go; written with Entra tokens only.'

param workspaceName string
param insightsName string
param location string
param tags object

@description('Object id of the identity that may write telemetry.')
param appPrincipalId string

@description('How long logs are kept, in days.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Logs that the workspace takes in a day before it stops, in GB; -1 is no limit.')
param dailyCapGb int = 5

var metricsPublisher = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '3913510d-42f4-4e42-8a64-420c390055eb')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyCapGb }
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

resource publisher 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, appPrincipalId, metricsPublisher)
  scope: insights
  properties: { roleDefinitionId: metricsPublisher, principalId: appPrincipalId, principalType: 'ServicePrincipal' }
}

output workspaceId string = workspace.id
output insightsName string = insights.name
@description('An address, not a secret: with local authentication off it gives no right to write.')
output insightsConnectionString string = insights.properties.ConnectionString
