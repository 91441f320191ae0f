package ram

// https://docs.aws.amazon.com/ram/latest/userguide/shareable.html

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ram/types"

	"github.com/lakemesh/lakemesh/localmesh/internal/engine"
)

// shareable are the types of resources that RAM shares. Only those of Glue are here;
// the others are the types of nothing.
func shareable() []string {
	return []string{
		"acm-pca:CertificateAuthority", "apigateway:DomainNames", "appmesh:Mesh", "appsync:Apis", "aws-marketplace:Entity", "backup:BackupVault",
		"bedrock:CustomModel", "billing:BillingView", "cloudhsm:Backup", "codebuild:Project", "codebuild:ReportGroup", "datazone:Domain",
		"ec2:CapacityReservation", "ec2:CoipPool", "ec2:DedicatedHost", "ec2:IpamPool", "ec2:IpamResourceDiscovery", "ec2:LocalGatewayRouteTable",
		"ec2:PlacementGroup", "ec2:PrefixList", "ec2:SecurityGroup", "ec2:Subnet", "ec2:TrafficMirrorTarget", "ec2:TransitGateway",
		"ec2:TransitGatewayMulticastDomain", "ec2:VerifiedAccessGroup", "elasticloadbalancing:TrustStore", "glue:Catalog", "glue:Database", "glue:Table",
		"imagebuilder:Component", "imagebuilder:ContainerRecipe", "imagebuilder:Image", "imagebuilder:ImageRecipe", "license-manager:LicenseConfiguration",
		"network-firewall:Firewall", "network-firewall:FirewallPolicy", "network-firewall:StatefulRuleGroup", "network-firewall:StatelessRuleGroup",
		"networkmanager:CoreNetwork", "outposts:Outpost", "outposts:Site", "ram:ResourceShare", "rds:Cluster", "refactor-spaces:Environment", "resource-explorer-2:View",
		"resource-groups:Group", "route53-recovery-control:Cluster", "route53profiles:Profile", "route53resolver:FirewallRuleGroup",
		"route53resolver:ResolverQueryLogConfig", "route53resolver:ResolverRule", "s3-outposts:Outpost", "sagemaker:Catalog", "sagemaker:FeatureGroup",
		"sagemaker:Hub", "sagemaker:LineageGroup", "sagemaker:MlflowTrackingServer", "sagemaker:ModelCard", "sagemaker:ModelPackageGroup", "sagemaker:PartnerApp",
		"sagemaker:Pipeline", "servicecatalog:Application", "servicecatalog:AttributeGroup", "ssm-contacts:Contact", "ssm-incidents:ResponsePlan",
		"ssm:Parameter", "vpc-lattice:ResourceConfiguration", "vpc-lattice:Service", "vpc-lattice:ServiceNetwork",
	}
}

// checkType refuses a resource type that RAM does not share.
func checkType(kind *string) error {
	if kind == nil || slices.ContainsFunc(shareable(), func(s string) bool { return strings.EqualFold(s, *kind) }) {
		return nil
	}
	return engine.Errorf("InvalidParameterException", "Invalid resource type: %s", *kind)
}

// regionalScope tells whether a filter takes resources of a Region, which those of Glue are.
func regionalScope(scope types.ResourceRegionScopeFilter) (bool, error) {
	switch scope {
	case "", types.ResourceRegionScopeFilterAll, types.ResourceRegionScopeFilterRegional:
		return true, nil
	case types.ResourceRegionScopeFilterGlobal:
		return false, nil
	}
	return false, engine.Errorf("InvalidParameterException", "Invalid resource region scope: %s", scope)
}
